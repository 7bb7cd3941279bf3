/**
 * What a storage node may still sign: one attestation per height and round, whatever happened to
 * its disk.
 *
 *     mark    the highest place (height, round) that its key has attested, kept beside the key and
 *             written before an attestation is sent
 *     floor   up to where its store may have forgotten what it said: it signs nothing new there
 *
 * A store that was never mended holds all that was said of the open height: then there is no floor.
 * Otherwise the floor is the mark. Where the mark is lost too, the floor is put above the round in
 * which the managers are when they ask next: what was said before was about earlier ones. So a node
 * that has forgotten everything is silent for a few rounds, never for a height.
 */
import type {
  AttestationMark,
  Place,
} from "../../store/double-sign-protection/attestation-mark.js";
import { isAfter } from "../../store/double-sign-protection/attestation-mark.js";

/** A manager may ask about a round that others have left. */
const roundsAhead = 2;

export class Voice {
  readonly #mark: Pick<AttestationMark, "place" | "raise">;
  readonly #hasAttested: () => boolean;
  #floor: Place | undefined;
  /** The mark is lost, and so may be what was said. */
  #listening = false;

  constructor(
    mark: Pick<AttestationMark, "place" | "raise">,
    /** Whether the chain says that this node has ever attested. */
    hasAttested: () => boolean,
  ) {
    this.#mark = mark;
    this.#hasAttested = hasAttested;
  }

  /** What the key has attested last, as far as it is known. */
  get place(): Place | undefined {
    return this.#mark.place;
  }

  /** The store may have lost what was said up to now. */
  forget(): void {
    if (this.#mark.place === undefined) this.#listening = true;
    else this.#floor = this.#mark.place;
  }

  /** Whether something new may be signed there; what was lost is given up at the first question. */
  async mayAttest(place: Place): Promise<boolean> {
    if (this.#listening && this.#hasAttested()) {
      this.#floor = { height: place.height, round: place.round + roundsAhead };
      await this.#mark.raise(this.#floor);
    }
    this.#listening = false;
    return this.#floor === undefined || isAfter(place, this.#floor);
  }

  /** Before an attestation is sent; durable when it resolves. */
  raise(place: Place): Promise<void> {
    return this.#mark.raise(place);
  }
}
