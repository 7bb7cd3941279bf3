/**
 * A week of the community as an SVG picture: above what the homes took through their meters (load),
 * below what they gave (sun), hour by hour, and how much of both they traded with each other.
 *
 * A meter stands where a home meets the grid. What a home uses of its own sun at the same moment
 * does not pass it, is not on the ledger, and so is not in the picture.
 *
 * The colours are of the palette by Okabe and Ito, which people with any colour vision can tell
 * apart. Both parts have one scale, so that a height means the same energy everywhere.
 */
import { scaleLinear } from "d3-scale";
import { clockName, utcOffsetS } from "../community/calendar.js";
import { meterIntervalS } from "../community/community.js";
import type { EnergyByHour } from "../home-energy.js";
import { type Axes, drawnPanel, type Panel, type ShownDay, type ShownHour } from "./panel.js";
import { element, text } from "./svg.js";

const width = 1160;
const height = 632;
const left = 64;
const right = width - 24;
const panelHeight = 190;

const panels: readonly Panel[] = [
  {
    title: "Load: what the homes took, kWh in each hour",
    top: 112,
    layers: [
      { name: "bought from neighbours", colour: "#0072b2", wh: ({ boughtWh }) => boughtWh },
      {
        name: "from the grid",
        colour: "#b8bcc0",
        wh: ({ importedWh, boughtWh }) => importedWh - boughtWh,
      },
    ],
  },
  {
    title: "Sun: what the homes gave, kWh in each hour",
    top: 390,
    layers: [
      { name: "sold to neighbours", colour: "#009e73", wh: ({ soldWh }) => soldWh },
      {
        name: "to the grid",
        colour: "#e69f00",
        wh: ({ exportedWh, soldWh }) => exportedWh - soldWh,
      },
    ],
  },
];

const hourS = 3600;
const dayS = 24 * hourS;
const weekS = 7 * dayS;
const markedHours = [6, 12, 18];
const whPerKwh = 1000;

/** Of at least one hour; the first whole week of them, or as much as there is. */
export function weekPicture(byHour: EnergyByHour, homes: number): string {
  const { startS, endS } = shownTime(byHour);
  const hours = Array.from({ length: (endS - startS) / meterIntervalS }, (_, i): ShownHour => {
    const hourStartS = startS + i * meterIntervalS;
    return { startS: hourStartS, energy: byHour.get(hourStartS) };
  });
  const title = `${homes} homes with solar panels: load, sun, and what they sold each other`;
  const about =
    `${dayNameOf(startS)} to ${dayNameOf(endS - 1)} ${yearOf(endS - 1)}, ` +
    `in hours of ${clockName}. ` +
    "As the homes read it from the ledger; what a home uses of its own sun passes no meter.";
  const axes = axesOf(hours, { startS, endS });
  const size = { width, height, viewBox: `0 0 ${width} ${height}` };
  const font = { "font-family": "system-ui, Helvetica, Arial, sans-serif", "font-size": 13 };
  const attributes = { xmlns: "http://www.w3.org/2000/svg", ...size, role: "img", ...font };
  return `${element("svg", { ...attributes, fill: "#222222" }, [
    text("title", {}, title),
    text("desc", {}, about),
    element("rect", { width, height, fill: "#ffffff" }),
    text("text", { x: left, y: 36, "font-size": 20, "font-weight": 600 }, title),
    text("text", { x: left, y: 60, fill: "#555555" }, about),
    ...panels.map((panel) => drawnPanel(panel, hours, axes)),
  ])}\n`;
}

type ShownTime = { readonly startS: number; readonly endS: number };

/** A week from the first midnight on, or all if there is less. */
function shownTime(byHour: EnergyByHour): ShownTime {
  const starts = [...byHour.keys()];
  const firstS = starts.reduce((a, b) => Math.min(a, b));
  const endS = starts.reduce((a, b) => Math.max(a, b)) + meterIntervalS;
  const midnightS = midnightBefore(firstS + dayS - 1);
  const startS = midnightS + weekS <= endS ? midnightS : firstS;
  return { startS, endS: Math.min(endS, startS + weekS) };
}

function axesOf(hours: readonly ShownHour[], { startS, endS }: ShownTime): Axes {
  const mostWh = hours.reduce((most, { energy }) => {
    return Math.max(most, energy?.importedWh ?? 0, energy?.exportedWh ?? 0);
  }, whPerKwh);
  const days: ShownDay[] = [];
  for (let atS = startS; atS < endS; ) {
    const midnightS = midnightBefore(atS);
    const marks = markedHours
      .map((hour) => ({ atS: midnightS + hour * hourS, name: `${hour}:00` }))
      .filter((mark) => mark.atS >= startS && mark.atS <= endS);
    const dayEndS = Math.min(midnightS + dayS, endS);
    days.push({ startS: atS, endS: dayEndS, name: dayNameOf(atS), marks });
    atS = dayEndS;
  }
  return {
    x: scaleLinear([startS, endS], [left, right]),
    y: scaleLinear([0, mostWh / whPerKwh], [panelHeight, 0]).nice(4),
    days,
  };
}

const dayFormat = new Intl.DateTimeFormat("en-GB", {
  weekday: "short",
  day: "numeric",
  month: "short",
  timeZone: "UTC",
});

/** The latest midnight of the homes' clock that is not after a time. */
function midnightBefore(atS: number): number {
  return Math.floor((atS + utcOffsetS) / dayS) * dayS - utcOffsetS;
}

/** "Mon 1 Aug". */
function dayNameOf(atS: number): string {
  return dayFormat.format((atS + utcOffsetS) * 1000).replace(",", "");
}

function yearOf(atS: number): number {
  return new Date((atS + utcOffsetS) * 1000).getUTCFullYear();
}
