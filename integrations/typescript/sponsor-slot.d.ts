// Types of the tag, for pages written in TypeScript. Copy this file into your project, or name it in `types`.

/** What fills a slot; the same as `GET /v1/slots/<slot>` answers. */
export interface SponsorDecision {
  slot: string;
  place: { id: string; name: string } | null;
  advertiser: { id: string; name: string };
  campaign: string;
  flight: string;
  creative: string;
  label: string;
  variant: 'name' | 'short' | 'long';
  text: string;
  variants: Record<'name' | 'short' | 'long', string | null>;
  disclosure: string | null;
  click_url: string;
  seen_url: string;
  token: string;
  html: string;
}

/** The sponsor stands in the fallback's place. */
export type SponsorFilledEvent = CustomEvent<SponsorDecision>;

/**
 * The fallback stays. `reason` is a no-fill code of the service, `name` where that is no name of a slot, `fault` where the service did not
 * answer, or not within three seconds.
 */
export type SponsorEmptyEvent = CustomEvent<{ reason: string }>;

/** `<sponsor-slot>`; attributes are read once, when it is put on the page. */
export interface SponsorSlotAttributes {
  /** The slot; needed. */
  name: string;
  /** The place that the page is about, as `Remer,MN`. */
  location?: string;
  /** Topics, separated by commas. */
  topic?: string;
  variant?: 'auto' | 'name' | 'short' | 'long';
  /** The longest text wanted, in characters. */
  'max-chars'?: number | `${number}`;
}

declare global {
  interface HTMLElementTagNameMap {
    'sponsor-slot': HTMLElement;
  }

  interface SponsorSlotEventMap {
    filled: SponsorFilledEvent;
    empty: SponsorEmptyEvent;
  }

  /** Both events bubble. */
  interface HTMLElementEventMap extends SponsorSlotEventMap {}
  interface DocumentEventMap extends SponsorSlotEventMap {}
}
