/**
 * Runs in the browser: replaces parts of the page by what the server sends. Inside `[data-keyed]`, children that stay are
 * kept, so that an image is not loaded again. Focus and opened details survive. Plain ES2020, inline, no dependencies.
 */
export const LIVE_SCRIPT = `
const mark = document.querySelector('.live');
const say = (state, text) => { if (mark) { mark.dataset.state = state; mark.textContent = text; } };
const source = new EventSource(document.body.dataset.events);
source.onopen = () => say('on', 'Live');
source.onerror = () => say('off', 'Reconnecting');
source.addEventListener('update', (event) => {
  const focused = document.activeElement && document.activeElement.id;
  for (const [id, text] of Object.entries(JSON.parse(event.data))) {
    const old = document.getElementById(id);
    const holder = document.createElement('template');
    holder.innerHTML = text;
    const fresh = holder.content.firstElementChild;
    if (old && fresh) put(old, fresh);
  }
  if (focused && document.activeElement === document.body) {
    const again = document.getElementById(focused);
    if (again) again.focus({ preventScroll: true });
  }
});
function put(old, fresh) {
  if ('keyed' in old.dataset && 'keyed' in fresh.dataset) return merge(old, fresh);
  for (const opened of old.querySelectorAll('details[open][id]')) {
    const same = fresh.querySelector('#' + CSS.escape(opened.id));
    if (same) same.open = true;
  }
  old.replaceWith(fresh);
}
function merge(old, fresh) {
  const wanted = new Set(Array.from(fresh.children, (child) => child.id));
  for (const child of Array.from(old.children)) if (!wanted.has(child.id)) child.remove();
  Array.from(fresh.children).forEach((child, index) => {
    const there = document.getElementById(child.id);
    if (!there) {
      child.classList.add('recent');
      old.insertBefore(child, old.children[index] || null);
      return;
    }
    if (old.children[index] !== there) old.insertBefore(there, old.children[index] || null);
    if (!('keep' in child.dataset)) there.replaceWith(child);
  });
}
`;
