// Logged with the reason when the contract cannot build the input or call of a round. Such a round has no row, so drivers count
// these log lines.

export const inputRefused = 'the contract could not build an input; no round opens'
export const callRefused = 'the contract could not build the call to the models; no round opens'
