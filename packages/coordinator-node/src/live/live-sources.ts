/** The names of the live sources that this version has; none yet: a competition runs on recordings. */
export const liveSources: readonly string[] = []
