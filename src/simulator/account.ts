/** The credits of the one account. */
export type RecordCharges = {
  balance(): number;
  /** False, and nothing taken, when the balance does not suffice. */
  charge(credits: number): boolean;
  refund(credits: number): void;
  totals(): { charged: number; refunded: number; balance: number };
};

export function createAccount(startingCredits: number): RecordCharges {
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
