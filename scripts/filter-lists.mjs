// What filter lists say of our addresses and of our elements; scripts/filter-lists runs it beside its packages.
import { readFileSync } from 'node:fs';
import { FiltersEngine, Request } from '@ghostery/adblocker';
import { JSDOM } from 'jsdom';

const LISTS = { base: 2, trackers: 3, 'social media': 4, annoyances: 21, widgets: 22 };
const PAGE = 'https://www.news.example/story';
const TOKEN = 'AbCdEf0123_-AbCdEf0123_-AbCdEf0123_-';
const CALLS = [
  ['/slot.js', 'script'],
  ['/slot.css', 'stylesheet'],
  ['/v1/decisions', 'xhr'],
  ['/v1/slots/masthead?location=Remer,MN', 'xhr'],
  ['/v1/seen', 'ping'],
  [`/v1/seen/${TOKEN}.gif?variant=short`, 'image'],
  ['/v1/frames/masthead?location=Remer,MN', 'sub_frame'],
];
const NAMES =
  'sponsors sponsor lines partners ad ads ads1 adserv adserver adv advert adverts advertising banner banners promo'.split(
    ' ',
  );
const BODY = `<main>
  <div class="sponsor"><a class="s80 l144" href="https://sponsors.news.example/go/${TOKEN}" rel="sponsored nofollow noopener"><span>Sponsor:</span>
  <span data-v="short">A line</span></a><img loading="lazy" width="1" height="1" alt="" src="https://sponsors.news.example/v1/seen/${TOKEN}.gif"></div>
  <div class="sponsor-disclosure">Paid for by …</div>
  <sponsor-slot name="masthead" location="Remer,MN" topic="sports">fallback</sponsor-slot>
  <iframe src="https://sponsors.news.example/v1/frames/masthead?location=Remer,MN" title="Sponsor" width="100%" height="48"></iframe></main>`;

function stopped(engine, base) {
  return CALLS.flatMap(([path, type]) => {
    const { match, filter } = engine.match(Request.fromRawDetails({ url: base + path, type, sourceUrl: PAGE }));
    return match ? [`${base}${path} by ${filter}`] : [];
  });
}

function hidden(engine) {
  const { styles } = engine.getCosmeticsFilters({
    url: PAGE,
    hostname: 'www.news.example',
    domain: 'news.example',
    classes: ['sponsor', 'sponsor-disclosure', 's80', 'l144'],
    ids: [],
    hrefs: [`https://sponsors.news.example/go/${TOKEN}`],
    getBaseRules: true,
    getRulesFromDOM: true,
    getRulesFromHostname: true,
    getInjectionRules: false,
  });
  const { document } = new JSDOM(`<!doctype html><body>${BODY}</body>`).window;
  const selectors = [...styles.matchAll(/([^{}]+)\{[^{}]*\}/g)].flatMap(([, group]) => group.split(/,\s*\n/));
  return selectors.flatMap((selector) => {
    try {
      return [...document.querySelectorAll(selector.trim())].map((element) => `${element.outerHTML.slice(0, 60)} by ${selector}`);
    } catch {
      return []; // a selector of the list's own language
    }
  });
}

for (const [title, id] of Object.entries(LISTS)) {
  const path = `package/dist/filters/declarative/ruleset_${id}/ruleset_${id}.json`;
  const raw = JSON.parse(readFileSync(path, 'utf8'))[0].metadata.rawFilterList;
  const engine = FiltersEngine.parse(raw, { enableCompression: false });
  console.log(`${title} of ${/TimeUpdated: (\S+)/.exec(raw)?.[1]}, ${raw.split('\n').length} lines`);
  const found = NAMES.flatMap((name) => [
    ...stopped(engine, `https://${name}.news.example`),
    ...stopped(engine, `https://www.news.example/${name}`),
  ]);
  for (const each of [...found, ...hidden(engine)]) console.log(`  ${each}`);
}
