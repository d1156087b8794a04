import type { LaneLook, Snapshot } from '../../diagnosis/snapshot.ts';
import { rateText } from '../../progress/draw-counts.ts';
import { callbacksWords, creditsWords, isOpen, standingOf } from '../../status/lane-words.ts';
import { type Html, html } from './html.ts';
import { count } from './progress.ts';

/** The accounts, each with its limits and whether it is open. Empty where there is only one: the figures of the fleet are its own. */
export function laneTable({ lanes, at }: Pick<Snapshot, 'lanes' | 'at'>): Html {
  if (lanes.length < 2) return html`<section id="lanes"></section>`;
  return html`<section id="lanes" aria-labelledby="lanes-title"><h2 id="lanes-title">Accounts</h2>
<div class="card"><table class="lanes">
<thead><tr><th scope="col">Account</th>${HEADS.map((head) => html`<th scope="col">${head}</th>`)}</tr></thead>
<tbody>${lanes.map((lane) => laneRow(lane, at))}</tbody>
</table></div></section>`;
}

const HEADS = ['Submits', 'Polls', 'Tasks', 'Credits left', 'Share', 'Callbacks'] as const;

function laneRow(lane: LaneLook, at: number): Html {
  const { name, vendor, rates, tasks, share, breaker } = lane;
  const looks = isOpen(lane) ? 'done' : breaker ? 'trouble' : '';
  const cells: Readonly<Record<(typeof HEADS)[number], string>> = {
    Submits: rateText(rates.submit),
    Polls: rateText(rates.poll),
    Tasks: `${count(tasks.running)} of ${count(tasks.most)}`,
    'Credits left': creditsWords(lane, at),
    Share: `${share}`,
    Callbacks: callbacksWords(lane),
  };
  return html`<tr id="lane-${name}"><th scope="row"><b>${name}</b> <small>${vendor}</small> <span class="chip ${looks}">${standingOf(lane)}</span></th>${HEADS.map(
    (head) => html`<td data-label="${head}">${cells[head]}</td>`,
  )}</tr>
`;
}
