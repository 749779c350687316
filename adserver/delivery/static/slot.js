// @ts-check
// The tag: <sponsor-slot name="masthead" location="Remer,MN" topic="sports">fallback</sponsor-slot>
// One call for all slots of a page. The fallback stays without a fill, on any fault, and after 3 seconds.
// A block, so that it leaves no name behind as a classic script, and runs as a module as well.
{
  const WAIT_MS = 3000;
  const VIEW_MS = 1000;
  const LARGE_PIXELS = 242500;
  const CALL_MAX = 50;
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
      '[part=text]{unicode-bidi:plaintext}',
  );

  /**
   * @typedef {{label: string, token: string, disclosure: string | null,
   *   variants: Record<string, string | null>}} Decision
   */

  /** @type {SponsorSlot[]} */
  let waiting = [];

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

  /** Ask for all that wait, in one call for each place and topic of the page (mostly one). */
  const ask = () => {
    /** @type {Map<string, SponsorSlot[]>} */
    const calls = new Map();
    for (const slot of waiting.splice(0)) {
      const page = [slot.getAttribute('location') || '', slot.getAttribute('topic') || ''];
      let key = JSON.stringify(page);
      while ((calls.get(key) || []).length >= CALL_MAX) key += ' ';
      calls.set(key, [...(calls.get(key) || []), slot]);
    }
    calls.forEach((slots, key) => call(slots, JSON.parse(key)).catch(() => {}));
  };

  /**
   * @param {SponsorSlot[]} slots
   * @param {string[]} page its location and topics
   */
  const call = async (slots, [location, topic]) => {
    const response = await fetch(service + 'v1/decisions', {
      method: 'POST',
      credentials: 'omit',
      signal: AbortSignal.timeout(WAIT_MS),
      body: JSON.stringify({
        location,
        topics: topic.split(','),
        slots: slots.map((slot, index) => ({
          id: String(index),
          slot: slot.getAttribute('name'),
          variant: slot.getAttribute('variant') || 'auto',
          max_chars: Number(slot.getAttribute('max-chars')) || null,
        })),
      }),
    });
    const { decisions } = await response.json();
    slots.forEach((slot, index) => decisions[index] && slot.fill(decisions[index]));
  };

  const observer = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) /** @type {SponsorSlot} */ (entry.target).judge(entry);
    },
    { threshold: [0, 0.3, 0.5] },
  );

  /** Those that are watched, as long as their element is on a page. @type {Set<SponsorSlot>} */
  const shown = new Set();

  document.addEventListener('visibilitychange', () => shown.forEach((slot) => slot.watch()));

  const resizes = new ResizeObserver((entries) => {
    for (const entry of entries) /** @type {SponsorSlot} */ (entry.target).fit();
  });

  class SponsorSlot extends HTMLElement {
    asked = false;
    token = '';
    variant = '';
    inView = false;
    timer = 0;
    told = '';
    /** @type {[string, string][]} longest first */
    lengths = [];
    link = /** @type {HTMLAnchorElement} */ (part('a', 'link', ''));
    text = part('span', 'text', '');

    connectedCallback() {
      if (this.token) this.show();
      if (this.asked || !SLUG.test(this.getAttribute('name') || '')) return;
      this.asked = true;
      if (waiting.push(this) > 1) return;
      if (document.readyState === 'loading') addEventListener('DOMContentLoaded', ask, { once: true });
      else setTimeout(ask);
    }

    /** @param {Decision} decision */
    fill({ token, label, variants, disclosure }) {
      if (!this.isConnected) return;
      this.token = token;
      this.lengths = /** @type {[string, string][]} */ (Object.entries(variants).filter(([, text]) => text).reverse());
      this.link.rel = 'sponsored nofollow noopener';
      this.link.append(part('span', 'label', label + ':'), ' ', this.text);
      const root = this.attachShadow({ mode: 'open' });
      root.adoptedStyleSheets = [sheet];
      root.append(this.link);
      if (disclosure) root.append(part('div', 'disclosure', disclosure));
      this.fit();
      this.show();
    }

    show() {
      resizes.observe(this);
      observer.observe(this);
      shown.add(this);
    }

    disconnectedCallback() {
      resizes.unobserve(this);
      observer.unobserve(this);
      shown.delete(this);
      this.inView = false;
      this.watch();
    }

    /** Show the longest length that fits on one line; the shortest wraps where even it does not. */
    fit() {
      this.link.className = 'measured';
      for (const [variant, text] of this.lengths) {
        this.variant = variant;
        this.text.textContent = text;
        if (this.link.offsetWidth < this.clientWidth) break;
      }
      this.link.className = '';
      this.link.href = `${service}go/${this.token}?v=${this.variant}`;
    }

    /** @param {IntersectionObserverEntry} entry */
    judge({ isIntersecting, intersectionRatio, boundingClientRect: { width, height } }) {
      if (isIntersecting && width * height) this.tell('seen');
      this.inView = intersectionRatio >= (width * height < LARGE_PIXELS ? 0.5 : 0.3);
      this.watch();
    }

    /** Let the one continuous second run while the slot is in view, in a tab that is. */
    watch() {
      if (!this.inView || document.hidden) {
        clearTimeout(this.timer);
        this.timer = 0;
      } else this.timer ||= setTimeout(() => this.tell('viewable'), VIEW_MS);
    }

    /** @param {string} kind `seen` or `viewable`, each told once */
    tell(kind) {
      if (this.told.includes(kind)) return;
      this.told += kind;
      const events = [{ token: this.token, kind, variant: this.variant }];
      navigator.sendBeacon(service + 'v1/seen', JSON.stringify({ events }));
    }
  }

  if (!customElements.get('sponsor-slot')) customElements.define('sponsor-slot', SponsorSlot);
}
