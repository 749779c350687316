// Comforts of the page Upload, which works without them: a file that is dropped anywhere, and faults that lead to their place.
(() => {
  'use strict';
  const form = document.querySelector('[data-upload]');
  if (!form) return;
  const zone = form.querySelector('[data-drop]');
  const file = form.querySelector('#file');
  const text = form.querySelector('#text');

  const over = (shown) => zone.classList.toggle('change-drop-over', shown);

  document.addEventListener('dragover', (event) => {
    if (!event.dataTransfer?.types.includes('Files')) return;
    event.preventDefault();
    over(true);
  });
  document.addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) over(false);
  });
  document.addEventListener('drop', (event) => {
    if (!event.dataTransfer?.files.length) return;
    event.preventDefault();
    over(false);
    file.files = event.dataTransfer.files;
    form.querySelector('[name="do"]').focus();
  });

  for (const link of document.querySelectorAll('[data-line]')) {
    link.addEventListener('click', (event) => {
      event.preventDefault(); // else the browser takes the focus to the line above
      const lines = text.value.split('\n');
      const line = Number(link.dataset.line) - 1;
      const start = lines.slice(0, line).reduce((sum, each) => sum + each.length + 1, 0);
      const at = start + Math.min(Number(link.dataset.column) - 1, lines[line]?.length ?? 0);
      text.scrollIntoView({ block: 'center' });
      text.focus({ preventScroll: true });
      text.setSelectionRange(at, start + (lines[line]?.length ?? 0));
      text.scrollTop = Math.max(0, line - 3) * parseFloat(getComputedStyle(text).lineHeight);
    });
  }
})();
