import { writeFileSync } from 'node:fs';
import { recordsIn } from '../src/archive/records.ts';
import { loadConfig, type Overrides } from '../src/config.ts';
import { chargingRecords } from '../src/money/charging-records.ts';
import { type Connections, connect } from '../src/wiring/connections.ts';
import { WORKER_STAGES, type WorkerStage } from '../src/wiring/fleet.ts';
import { openPorts } from '../src/wiring/stage-ports.ts';
import { startFleet } from '../workers/fleet.ts';
import { member } from './children.ts';
import {
  countedArchive,
  emptyArchive,
  instantDownload,
  instantProvider,
  type Requests,
  recordsOnly,
} from './instant.ts';
import { peakRssMb } from './measure.ts';

export type FleetInput = {
  config: Overrides;
  /** An instant provider and an archive that keeps nothing, in place of the real ones. */
  instant: boolean;
  /** With `instant`: the archive keeps records, and every second this file is told what was asked of it. */
  recordsAndCounts?: string;
  concurrency?: Partial<Record<WorkerStage, number>>;
};
export type FleetResult = { cpuMs: number; peakRssMb: number };

/** A worker process as `flux-batch worker` starts it. */
await member<FleetInput>(async ({ config, instant, recordsAndCounts, concurrency }) => {
  const opened = await connect(loadConfig(config), { patient: true, prove: !instant });
  const requests: Requests = { read: 0, write: 0, list: 0 };
  const archive =
    recordsAndCounts === undefined
      ? emptyArchive(opened.archive)
      : countedArchive(recordsOnly(opened.archive), requests);
  const tell = () => recordsAndCounts && writeFileSync(recordsAndCounts, JSON.stringify(requests));
  tell();
  setInterval(tell, 1_000).unref();
  const connections: Connections = instant
    ? { ...opened, archive, records: chargingRecords(recordsIn(archive), opened.prices, opened.spending.record) }
    : opened;
  const real = await openPorts(connections);
  const ports = instant ? { ...real, provider: instantProvider(), download: instantDownload } : real;
  const fleet = startFleet(connections, ports, {
    stages: WORKER_STAGES,
    ...(concurrency === undefined ? {} : { concurrency }),
    onTrouble: (error) => console.error(error),
  });
  return {
    async stop(): Promise<FleetResult> {
      await fleet.drain();
      await connections.closers.closeAll();
      const { user, system } = process.cpuUsage();
      return { cpuMs: (user + system) / 1_000, peakRssMb: peakRssMb(process.pid) };
    },
  };
});
