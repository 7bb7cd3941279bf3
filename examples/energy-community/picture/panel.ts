/** One part of the picture: two layers of energy over time, with axes, title and legend. */
import type { ScaleLinear } from "d3-scale";
import { area } from "d3-shape";
import type { HourEnergy } from "../home-energy.js";
import { element, text } from "./svg.js";

export type Layer = {
  readonly name: string;
  readonly colour: string;
  readonly wh: (hour: HourEnergy) => number;
};

export type Panel = {
  readonly title: string;
  /** Distance of its plot from the top of the picture, px. */
  readonly top: number;
  /** From the axis upwards. */
  readonly layers: readonly [Layer, Layer];
};

/** An hour of the picture; `energy` is undefined where the ledger has nothing. */
export type ShownHour = {
  /** Unix s. */
  readonly startS: number;
  readonly energy: HourEnergy | undefined;
};

export type Axes = {
  /** From Unix s to px. */
  readonly x: ScaleLinear<number, number>;
  /** From kWh to px below the top of a panel. */
  readonly y: ScaleLinear<number, number>;
  readonly days: readonly ShownDay[];
};

/** A day of the clock that people see, or the part of it that is shown. */
export type ShownDay = {
  /** Unix s. */
  readonly startS: number;
  /** Unix s. */
  readonly endS: number;
  /** "Mon 1 Aug". */
  readonly name: string;
  /** Hours that are marked. */
  readonly marks: readonly { readonly atS: number; readonly name: string }[];
};

/** Both ends of an hour, so that its value is a level line; undefined is a gap. */
type Point = { readonly atS: number; readonly lower: number; readonly upper: number } | undefined;

const hourS = 3600;
const whPerKwh = 1000;
const gridLineCount = 4;
/** Of one layer in the legend, px. */
const legendWidth = 270;
/** Narrower days have no room for their name, px. */
const dayNameWidthMin = 70;
const gridColour = "#e3e5e8";
const dayColour = "#c4c8cc";
const quiet = "#555555";

export function drawnPanel(panel: Panel, hours: readonly ShownHour[], axes: Axes): string {
  return element("g", { transform: `translate(0 ${panel.top})` }, [
    ...gridLines(axes),
    ...areas(panel, hours, axes),
    ...timeAxis(axes),
    ...heading(panel, hours, axes),
  ]);
}

function gridLines({ x, y, days }: Axes): readonly string[] {
  const [left = 0, right = 0] = x.range();
  const [bottom = 0, top = 0] = y.range();
  return [
    ...y
      .ticks(gridLineCount)
      .flatMap((kwh) => [
        element("line", { x1: left, x2: right, y1: y(kwh), y2: y(kwh), stroke: gridColour }),
        text("text", { x: left - 8, y: y(kwh) + 4, "text-anchor": "end", fill: quiet }, `${kwh}`),
      ]),
    ...days.map(({ startS }) =>
      element("line", {
        x1: x(startS),
        x2: x(startS),
        y1: top,
        y2: bottom + 38,
        stroke: dayColour,
      }),
    ),
  ];
}

function areas({ layers }: Panel, hours: readonly ShownHour[], { x, y }: Axes): readonly string[] {
  const [first, second] = layers;
  const shape = area<Point>()
    .defined((point) => point !== undefined)
    .x((point) => x(point?.atS ?? 0))
    .y0((point) => y(point?.lower ?? 0))
    .y1((point) => y(point?.upper ?? 0))
    .digits(1);
  const pathOf = ({ colour }: Layer, levels: (hour: HourEnergy) => readonly [number, number]) => {
    const points = hours.flatMap(({ startS, energy }): readonly Point[] => {
      if (energy === undefined) return [undefined];
      const [lowerWh, upperWh] = levels(energy);
      const level = { lower: lowerWh / whPerKwh, upper: upperWh / whPerKwh };
      return [
        { atS: startS, ...level },
        { atS: startS + hourS, ...level },
      ];
    });
    return element("path", { d: shape(points) ?? "", fill: colour });
  };
  return [
    pathOf(first, (hour) => [0, first.wh(hour)]),
    pathOf(second, (hour) => [first.wh(hour), first.wh(hour) + second.wh(hour)]),
  ];
}

/** The line on which the areas stand, with hours and days below it. */
function timeAxis({ x, y, days }: Axes): readonly string[] {
  const [left = 0, right = 0] = x.range();
  const [bottom = 0] = y.range();
  const middle = { "text-anchor": "middle", fill: quiet };
  return [
    element("line", { x1: left, x2: right, y1: bottom, y2: bottom, stroke: "#222222" }),
    ...days.flatMap(({ startS, endS, name, marks }) => {
      const isWide = x(endS) - x(startS) >= dayNameWidthMin;
      const centre = { x: (x(startS) + x(endS)) / 2, y: bottom + 34 };
      return [
        ...marks.flatMap(({ atS, name: hour }) => [
          element("line", { x1: x(atS), x2: x(atS), y1: bottom, y2: bottom + 4, stroke: quiet }),
          text("text", { x: x(atS), y: bottom + 16, "font-size": 11, ...middle }, hour),
        ]),
        ...(isWide ? [text("text", { ...centre, ...middle }, name)] : []),
      ];
    }),
  ];
}

/** The title on the left; on the right what the colours mean, with the sums of what is shown. */
function heading({ title, layers }: Panel, hours: readonly ShownHour[], { x }: Axes) {
  const [left = 0, right = 0] = x.range();
  return [
    text("text", { x: left, y: -14, "font-size": 15, "font-weight": 600 }, title),
    ...layers.flatMap(({ name, colour, wh }, index) => {
      const sumWh = hours.reduce((sum, { energy }) => sum + (energy ? wh(energy) : 0), 0);
      const words = `${name}: ${Math.round(sumWh / whPerKwh)} kWh`;
      const at = right - (layers.length - index) * legendWidth;
      return [
        element("rect", { x: at, y: -26, width: 14, height: 14, fill: colour }),
        text("text", { x: at + 20, y: -14 }, words),
      ];
    }),
  ];
}
