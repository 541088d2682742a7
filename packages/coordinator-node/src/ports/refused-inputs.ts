// Logged, with the reason, when the contract refuses what a round would start with. Such a round has no row, so the log is all
// that a driver can count.

export const inputRefused = 'the contract could not build an input; no round opens'
export const callRefused = 'the contract could not build the call to the models; no round opens'
