/** One of several that act on the same things at once. */
export type Actor = {
  name: string;
  isOver(): boolean;
  /** Lets its next call happen, whole, and resolves when it waits for the one after or is over. */
  step(): Promise<void>;
};
/** Waits for the actor's turn, then makes the call. */
export type Turn = <T>(call: () => Promise<T>) => Promise<T>;

/** Begins `act`, which stops at each call that it makes through its `turn`. Rejects from `step` what `act` throws. */
export async function startActor(name: string, act: (turn: Turn) => Promise<void>): Promise<Actor> {
  const waiting: (() => void)[] = [];
  let [underWay, over] = [0, false];
  let thrown: unknown;
  let told = () => {};
  const turn: Turn = async (call) => {
    await new Promise<void>((resolve) => {
      waiting.push(resolve);
      told();
    });
    try {
      return await call();
    } finally {
      underWay -= 1;
      told();
    }
  };
  const isStill = () => over || (underWay === 0 && waiting.length > 0);
  const still = async () => {
    while (!isStill())
      await new Promise<void>((resolve) => {
        told = resolve;
      });
    if (thrown !== undefined) throw thrown;
  };
  act(turn)
    .catch((error: unknown) => {
      thrown = error;
    })
    .finally(() => {
      over = true;
      told();
    });
  await still();
  return {
    name,
    isOver: () => over,
    async step() {
      const next = waiting.shift();
      if (!next) return;
      underWay += 1;
      next();
      await still();
    },
  };
}

/** The same port, each of these methods a turn of the actor. */
export function byTurns<Port extends object>(
  port: Port,
  turn: Turn,
  isTurn: (method: string, args: readonly unknown[]) => boolean,
): Port {
  return new Proxy(port, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown => {
        const call = () => Reflect.apply(value, target, args);
        return isTurn(String(property), args) ? turn(async () => call()) : call();
      };
    },
  });
}
