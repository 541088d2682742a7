/** The chain on which payouts are made. */
export interface Chain {
  /**
   * Resolves if the transaction exists, is final and did not fail; it does not look at what the transaction pays. Rejects with
   * `NOT_VERIFIED` if not, and with `CHAIN_UNAVAILABLE` if the chain cannot be asked.
   * @param transactionId 64 bytes in base58
   */
  requireFinal(transactionId: string): Promise<void>
}
