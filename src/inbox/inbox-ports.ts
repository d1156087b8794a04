import type { DropPlace } from '../archive/drops.ts';
import type { InboxBudget } from '../fleet/inbox-budget.ts';
import type { InboxDrops } from '../fleet/inbox-drops.ts';
import type { Connections } from '../wiring/connections.ts';
import type { Allowance } from './allowance.ts';
import type { DropLimits } from './limits.ts';

/** What an inbox acts on. */
export type InboxPorts = {
  /** Of the inbox itself, whatever path or URL a process knows it by. */
  inbox: string;
  place: DropPlace;
  connections: Connections;
  limits: DropLimits;
  allowance: Allowance;
  budget: InboxBudget;
  drops: InboxDrops;
};
