import { type Html, html } from './html.ts';

/** Where a manifest is dropped on the page. It works by the script below; without scripts it says what does. */
export function dropZone(): Html {
  return html`<section class="drop" aria-labelledby="drop-title"><h2 id="drop-title">New batch</h2>
<noscript><p class="empty">Without scripts: <code>flux-batch enqueue jobs.yaml</code></p></noscript>
<label class="zone" id="zone"><b>Drop a manifest here</b>, or a .zip of one with its tables
<input type="file" id="drop-file" accept=".yaml,.yml,.json,.zip"></label>
<div id="dropped" aria-live="polite"></div></section>`;
}

export const DROP_STYLE = `
.zone{display:block;border:2px dashed var(--line);border-radius:.75rem;background:var(--card);padding:1.3rem 1.2rem;text-align:center;color:var(--soft);cursor:pointer}
.zone b{color:var(--ink);font-weight:620}
.zone input{display:block;margin:.6rem auto 0;font:inherit;font-size:.88rem;color:var(--soft);max-width:100%}
.zone.over,.zone:focus-within{border-color:var(--accent)}
#dropped:not(:empty){margin-top:.75rem}
#dropped .card h3{margin-bottom:.5rem}
#dropped dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1rem;margin:0 0 .8rem}
#dropped dt{color:var(--soft)}
#dropped dd{margin:0;overflow-wrap:anywhere}
#dropped ul{margin:.2rem 0 .8rem;padding:0;list-style:none}
#dropped li{padding:.3rem 0;border-top:1px solid var(--line);overflow-wrap:anywhere}
#dropped li b{font-weight:600;margin-right:.6rem}
#dropped li small{color:var(--soft);display:block}
#dropped button{font:inherit;font-weight:600;padding:.5rem 1rem;border-radius:.5rem;border:0;background:var(--accent);color:var(--card);cursor:pointer;margin-right:.6rem}
#dropped button.plain{background:none;color:var(--soft);border:1px solid var(--line)}
#dropped button:disabled{opacity:.5;cursor:default}
`;

/**
 * Runs in the browser: sends what is dropped to /plans, shows the plan or the mistakes, and sends it to /batches when the button that
 * names the price is pressed. Texts become text nodes, never markup. Plain ES2020, inline, no dependencies.
 */
export const DROP_SCRIPT = `
const zone = document.getElementById('zone');
if (zone) {
  const out = document.getElementById('dropped');
  const input = document.getElementById('drop-file');
  const make = (tag, text, parts = []) => {
    const element = document.createElement(tag);
    if (text) element.textContent = text;
    element.append(...parts);
    return element;
  };
  const show = (title, parts) => {
    const card = make('div', '', [make('h3', title), ...parts]);
    card.className = 'card';
    out.replaceChildren(card);
  };
  const count = (value) => value.toLocaleString('en-US');
  const plural = (value, word) => count(value) + ' ' + word + (value === 1 ? '' : 's');
  const typeOf = (file) => /\\.zip$/i.test(file.name) ? 'application/zip' : /\\.json$/i.test(file.name) ? 'application/json' : 'application/yaml';
  const send = async (path, file, more, headers) => {
    const query = new URLSearchParams(Object.assign({ name: file.name }, more));
    const answer = await fetch(path + '?' + query, { method: 'POST', body: file, headers: Object.assign({ 'content-type': typeOf(file) }, headers) });
    const isJson = (answer.headers.get('content-type') || '').includes('json');
    return { status: answer.status, location: answer.headers.get('location'), body: isJson ? await answer.json() : { message: await answer.text() } };
  };
  const again = () => {
    const button = make('button', 'Leave it');
    button.className = 'plain';
    button.onclick = () => out.replaceChildren();
    return button;
  };
  const price = (plan) => plan.credits === null ? 'at a price that is not known'
    : 'for ' + plural(plan.credits, 'credit') + ', about $' + (plan.usd || 0).toFixed(2);
  const duration = (ms) => ms < 90000 ? Math.round(ms / 1000) + ' s' : ms < 5400000 ? Math.round(ms / 60000) + ' min' : (ms / 3600000).toFixed(1) + ' h';
  const refused = (file, { message, mistakes = [], omitted = 0 }) => {
    const lines = mistakes.map((mistake) => make('li', '', [
      make('b', [mistake.file, mistake.line, mistake.column].filter((part) => part !== undefined).join(':')),
      (mistake.path ? mistake.path + ': ' : '') + mistake.message,
      ...(mistake.hint ? [make('small', mistake.hint)] : []),
    ]));
    if (omitted > 0) lines.push(make('li', '… and ' + count(omitted) + ' more'));
    const title = mistakes.length === 0 ? file.name + ': ' + message : file.name + ' has ' + plural(mistakes.length + omitted, 'mistake') + ', nothing was enqueued';
    show(title, [make('ul', '', lines), again()]);
  };
  const planned = (file, { plan, agree, remake }) => {
    const facts = [
      ['Items', count(plan.items) + (plan.toMake === plan.items ? '' : ', ' + count(plan.toMake) + ' to make')],
      ['Cost', plan.credits === null ? 'not known: a model has no price' : plural(plan.credits, 'credit') + ', about $' + (plan.usd || 0).toFixed(2) + ' at the prices of ' + plan.pricesOf],
      ...(plan.toMake > 0 ? [['Time', plan.time ? plan.time.join('; ') : 'about ' + duration(plan.timeMs) + ' at the rate limit']] : []),
      ...(plan.madeAgain > 0 ? [['Made anew', plural(plan.madeAgain, 'archived image') + ': ' + plan.difference.join('; ')]] : []),
      ...(plan.lost > 0 ? [['Lost', plural(plan.lost, 'item') + ' that had ended and are gone from the archive']] : []),
      ...plan.notes.map((note) => ['Note', note]),
    ].flatMap(([name, value]) => [make('dt', name), make('dd', value)]);
    const first = plan.first.map(({ name, prompt }) => make('li', '', [make('b', name), prompt]));
    const button = make('button', plan.toMake === 0 ? 'Enqueue: nothing new, at no cost' : 'Make ' + plural(plan.toMake, 'picture') + ' ' + price(plan));
    const key = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
    button.onclick = async () => {
      button.disabled = true;
      const said = Object.assign({}, agree === null ? { agree: '0' } : { agree: String(agree) }, remake ? { remake: 'true' } : {});
      const { status, body, location: page } = await send('/batches', file, said, { 'idempotency-key': key })
        .catch((error) => ({ status: 0, body: { message: String(error) } }));
      if (status === 202) location.href = page;
      else refused(file, body);
    };
    show(plan.batch, [make('dl', '', facts), make('ul', '', first), button, again()]);
  };
  const take = async (file) => {
    if (!file) return;
    show(file.name, [make('p', 'Reading it …')]);
    const { status, body } = await send('/plans', file).catch((error) => ({ status: 0, body: { message: String(error) } }));
    if (status === 200) planned(file, body);
    else refused(file, body);
  };
  // Forgotten at once: the same file, mended, may be chosen again.
  input.onchange = () => { take(input.files[0]); input.value = ''; };
  for (const name of ['dragover', 'dragenter']) zone.addEventListener(name, (event) => { event.preventDefault(); zone.classList.add('over'); });
  zone.addEventListener('dragleave', () => zone.classList.remove('over'));
  zone.addEventListener('drop', (event) => {
    event.preventDefault();
    zone.classList.remove('over');
    const { items, files } = event.dataTransfer;
    const isFolder = Array.from(items).some((item) => { const entry = item.webkitGetAsEntry(); return entry !== null && entry.isDirectory; });
    if (isFolder) refused(files[0], { message: 'is a folder; zip it, and drop the .zip' });
    else if (files.length > 1) refused(files[0], { message: 'came with ' + plural(files.length - 1, 'other file') + '; zip them together, and drop the .zip' });
    else take(files[0]);
  });
}
`;
