/** The credits of the simulator's only account. */
export type Account = {
  balance(): number;
  /** Returns false and takes nothing when the balance is too low. */
  charge(credits: number): boolean;
  refund(credits: number): void;
  totals(): { charged: number; refunded: number; balance: number };
};

export function createAccount(startingCredits: number): Account {
  let charged = 0;
  let refunded = 0;
  const balance = () => startingCredits - charged + refunded;
  return {
    balance,
    charge(credits) {
      if (balance() < credits) return false;
      charged += credits;
      return true;
    },
    refund(credits) {
      refunded += credits;
    },
    totals: () => ({ charged, refunded, balance: balance() }),
  };
}
