// @ts-check
// The tag: <sponsor-slot name="masthead" location="Remer,MN" topic="sports">fallback</sponsor-slot>
// One call for all slots of a page. The fallback stays without a fill, on any fault, and after 3 seconds.
// A block, so that it leaves no name behind as a classic script, and runs as a module as well.
// `scripts/tag` makes static/slot.js of it. Names that begin with _ are ours, and shortened there.
{
  const WAIT_MS = 3000;
  const VIEW_MS = 1000;
  const LARGE_PIXELS = 242500;
  const CALL_MAX = 50;
  const BEACON_MAX = 100;
  const SLUG = /^[a-z0-9][a-z0-9-]{0,63}$/;

  const script = /** @type {HTMLScriptElement} */ (
    document.currentScript || document.querySelector('script[src*="slot.js"]')
  );
  const service = new URL('.', script.src).href;

  const sheet = new CSSStyleSheet();
  sheet.replaceSync(
    ':host{display:block;contain:inline-size;inline-size:100%;min-inline-size:7em;overflow-wrap:anywhere}' +
      ':host([hidden]){display:none}' +
      'a{display:inline-block;color:inherit}.measured{white-space:nowrap}' +
      '[part=label]{color:var(--sponsor-label)}' +
      '[part=text]{unicode-bidi:plaintext;color:var(--sponsor-text)}' +
      '[part=disclosure]{color:var(--sponsor-disclosure)}',
  );

  /**
   * @typedef {{label: string, token: string, disclosure: string | null,
   *   variants: Record<string, string | null>}} Decision
   * @typedef {{decisions: Record<string, Decision | null>, no_fill: Record<string, string>,
   *   ledger: string | null}} Answer
   */

  /** @type {SponsorSlot[]} */
  let waiting = [];

  const LEDGER = 'sponsor-ledger';

  /**
   * What this visit was shown of sponsors that show only so often; signed by the service, which keeps none of it.
   * @type {string | null}
   */
  let ledger = null;
  try {
    ledger = sessionStorage.getItem(LEDGER);
  } catch {} // a browser that keeps nothing: then no visit is longer than its page

  /**
   * Of two parts only the first outlives the page: the other counts what this page was shown.
   * @param {string | null} next null where there is nothing to keep
   */
  const keep = (next) => {
    if (!next) return;
    ledger = next;
    try {
      sessionStorage.setItem(LEDGER, next.split('.')[0]);
    } catch {}
  };

  /** What the service is yet to be told. @type {{token: string, kind: string, variant: string}[]} */
  const events = [];

  /**
   * @param {string} tag
   * @param {string} name what pages style it by: `sponsor-slot::part(label)`
   * @param {string} text never taken as markup
   */
  const part = (tag, name, text) => {
    const element = document.createElement(tag);
    element.setAttribute('part', name);
    element.textContent = text;
    return element;
  };

  /**
   * Tell the page what became of a slot.
   * @param {SponsorSlot} slot
   * @param {string} type `filled` or `empty`
   * @param {object} detail
   */
  const announce = (slot, type, detail) => slot.dispatchEvent(new CustomEvent(type, { detail, bubbles: true }));

  /** Ask for all that wait, in one call for each place and topic of the page (mostly one). */
  const ask = () => {
    // A page that is made ready before the reader goes there has no reader yet.
    if (/** @type {{prerendering?: boolean}} */ (/** @type {unknown} */ (document)).prerendering) {
      document.addEventListener('prerenderingchange', ask, { once: true });
      return;
    }
    /** @type {Map<string, SponsorSlot[]>} */
    const calls = new Map();
    for (const slot of waiting.splice(0)) {
      if (!SLUG.test(slot.getAttribute('name') || '')) {
        announce(slot, 'empty', { reason: 'name' });
        continue;
      }
      let key = JSON.stringify([slot.getAttribute('location') || '', slot.getAttribute('topic') || '']);
      while ((calls.get(key) || []).length >= CALL_MAX) key += ' ';
      calls.set(key, [...(calls.get(key) || []), slot]);
    }
    calls.forEach((slots, key) => call(slots, JSON.parse(key)));
  };

  /**
   * @param {SponsorSlot[]} slots
   * @param {string[]} page its location and topics
   */
  const call = async (slots, [location, topic]) => {
    let answer = /** @type {Answer | undefined} */ (undefined);
    try {
      const response = await fetch(service + 'v1/decisions', {
        method: 'POST',
        credentials: 'omit',
        signal: AbortSignal.timeout(WAIT_MS),
        body: JSON.stringify({
          location,
          topics: topic.split(','),
          ledger,
          slots: slots.map((slot, index) => ({
            id: String(index),
            slot: slot.getAttribute('name'),
            variant: slot.getAttribute('variant') || 'auto',
            max_chars: Number(slot.getAttribute('max-chars')) || null,
          })),
        }),
      });
      answer = await response.json();
      keep(/** @type {Answer} */ (answer).ledger);
    } catch {} // the fallbacks stay
    slots.forEach((slot, index) => {
      try {
        const { decisions, no_fill } = /** @type {Answer} */ (answer);
        const decision = decisions[index];
        if (!slot.isConnected) slot._asked = false;
        else if (decision) {
          slot._fill(decision);
          announce(slot, 'filled', decision);
        } else announce(slot, 'empty', { reason: no_fill[index] });
      } catch {
        announce(slot, 'empty', { reason: 'fault' });
      }
    });
  };

  const send = () => {
    while (events.length)
      navigator.sendBeacon(service + 'v1/seen', JSON.stringify({ events: events.splice(0, BEACON_MAX) }));
  };

  const observer = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) /** @type {SponsorSlot} */ (entry.target)._judge(entry);
    },
    { threshold: [0, 0.3, 0.5] },
  );

  /** Those that are watched, as long as their element is on a page. @type {Set<SponsorSlot>} */
  const shown = new Set();

  document.addEventListener('visibilitychange', () => shown.forEach((slot) => slot._watch()));

  const resizes = new ResizeObserver((entries) => {
    for (const entry of entries) /** @type {SponsorSlot} */ (entry.target)._fit();
  });

  class SponsorSlot extends HTMLElement {
    _asked = false;
    _token = '';
    _variant = '';
    _inView = false;
    _timer = 0;
    _told = '';
    /** @type {[string, string][]} longest first */
    _lengths = [];
    _link = /** @type {HTMLAnchorElement} */ (part('a', 'link', ''));
    _text = part('span', 'text', '');

    connectedCallback() {
      if (this._token) this._show();
      if (this._asked) return;
      this._asked = true;
      if (waiting.push(this) > 1) return;
      if (document.readyState === 'loading') addEventListener('DOMContentLoaded', ask, { once: true });
      else setTimeout(ask);
    }

    /**
     * Put the sponsor in the fallback's place, or throw and leave it.
     * @param {Decision} decision
     */
    _fill({ token, label, variants, disclosure }) {
      this._lengths = /** @type {[string, string][]} */ (
        Object.entries(variants).filter(([, text]) => /** @type {string} */ (text)?.trim())
      ).reverse();
      if (!this._lengths.length || !label || !token.match(/^[\w-]+$/)) throw 0;
      const root = this.attachShadow({ mode: 'open' });
      root.adoptedStyleSheets = [sheet];
      this._token = token;
      this._link.rel = 'sponsored nofollow noopener';
      this._link.append(part('span', 'label', label + ':'), ' ', this._text);
      root.append(this._link);
      if (disclosure) root.append(part('div', 'disclosure', disclosure));
      this._fit();
      this._show();
    }

    _show() {
      resizes.observe(this);
      observer.observe(this);
      shown.add(this);
    }

    disconnectedCallback() {
      resizes.unobserve(this);
      observer.unobserve(this);
      shown.delete(this);
      this._inView = false;
      this._watch();
    }

    /** Show the longest length that fits on one line; the shortest wraps where even it does not. */
    _fit() {
      this._link.className = 'measured';
      for (const [variant, text] of this._lengths) {
        this._variant = variant;
        this._text.textContent = text;
        if (this._link.offsetWidth < this.clientWidth) break;
      }
      this._link.className = '';
      this._link.href = `${service}go/${this._token}?v=${this._variant}`;
    }

    /** @param {IntersectionObserverEntry} entry */
    _judge({ isIntersecting, intersectionRatio, boundingClientRect: { width, height } }) {
      if (isIntersecting && width * height) this._tell('seen');
      this._inView = intersectionRatio >= (width * height < LARGE_PIXELS ? 0.5 : 0.3);
      this._watch();
    }

    /** Let the one continuous second run while the slot is in view, in a tab that is. */
    _watch() {
      if (!this._inView || document.hidden) {
        clearTimeout(this._timer);
        this._timer = 0;
      } else this._timer ||= setTimeout(() => this._tell('viewable'), VIEW_MS);
    }

    /**
     * Note an event; those of one moment go in one beacon.
     * @param {string} kind `seen` or `viewable`, each told once
     */
    _tell(kind) {
      if (this._told.includes(kind)) return;
      this._told += kind;
      if (events.push({ token: this._token, kind, variant: this._variant }) < 2) queueMicrotask(send);
    }
  }

  if (!customElements.get('sponsor-slot')) customElements.define('sponsor-slot', SponsorSlot);
}
