import type { Archive } from '../archive/archive.ts';
import type { Config } from '../config.ts';
import { FluxError } from '../errors.ts';
import type { WriteLine } from '../logger.ts';
import { type Closers, openClosers } from '../wiring/closers.ts';
import { type Connections, connect, openArchiveOf } from '../wiring/connections.ts';
import { once } from '../wiring/once.ts';
import { type OpenedPorts, openPorts } from '../wiring/stage-ports.ts';

/** What a FluxBatch opens when it is first needed, each once. `closers` closes all of it. */
export type Opened = {
  connections: () => Promise<Connections>;
  ports: () => Promise<OpenedPorts>;
  /** The archive alone, without Redis. */
  archive: () => Promise<Archive>;
  closers: Closers;
  /** Throws a FluxError (`closed`) once `refuseFromNowOn` was called. */
  refuseClosed(): void;
  refuseFromNowOn(): void;
};

export function openedOnce(config: Config, writeLog: WriteLine | undefined): Opened {
  const closers = openClosers();
  let isClosed = false;
  const refuseClosed = () => {
    if (isClosed) throw new FluxError('closed', 'This FluxBatch was closed');
  };

  const connections = once(async () => {
    const opened = await connect(config, { patient: true, prove: true, ...(writeLog && { writeLog }) });
    // It was closed while this opened: nobody else would close what has just been opened.
    if (isClosed) await opened.closers.closeAll();
    refuseClosed();
    closers.push(() => opened.closers.closeAll());
    for (const warning of opened.warnings) opened.log.warn(warning);
    return opened;
  });
  return {
    connections,
    ports: once(async () => openPorts(await connections())),
    archive: once(() => openArchiveOf(config, closers)),
    closers,
    refuseClosed,
    refuseFromNowOn() {
      isClosed = true;
    },
  };
}
