// Comforts of a campaign's form, which works without them: lengths while one types, ids made of names, what a tier has.
(() => {
  'use strict';
  const form = document.querySelector('[data-campaign-form]');
  if (!form) return;
  const segmenter = 'Segmenter' in Intl ? new Intl.Segmenter(undefined, { granularity: 'grapheme' }) : null;
  const byId = (id) => document.getElementById(id);

  const length = (text) => (segmenter ? [...segmenter.segment(text)].length : [...text].length);

  for (const input of form.querySelectorAll('[data-count]')) {
    const note = form.querySelector(`[data-count-of="${CSS.escape(input.name)}"]`);
    input.addEventListener('input', () => {
      const count = length(input.value.trim());
      note.textContent = count ? `${count} characters` : '';
    });
  }

  const slug = (text) =>
    text
      .normalize('NFKD')
      .replace(/\p{M}/gu, '')
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-+|-+$/g, '')
      .slice(0, 64);

  for (const input of form.querySelectorAll('[data-makes-id]')) {
    const id = byId(input.dataset.makesId);
    if (!id || id.readOnly) continue;
    let made = slug(input.value);
    input.addEventListener('input', () => {
      if (id.value === '' || id.value === made) id.value = slug(input.value);
      made = slug(input.value);
    });
  }

  for (const block of form.querySelectorAll('[data-tier]')) {
    const select = block.querySelector('select');
    const parts = block.parentElement.querySelectorAll('[data-for-tier]');
    const show = () => {
      for (const part of parts) part.hidden = !part.dataset.forTier.split(' ').includes(select.value);
    };
    select.addEventListener('change', show);
    show();
  }
})();
