/** Granularities of candles by the names of the history API. Weeks and months do not lie on a grid from the epoch. */
export const candleResolutions: Readonly<Record<string, string>> = {
  ...{ '1m': '1', '2m': '2', '5m': '5', '15m': '15', '30m': '30' },
  ...{ '1h': '60', '2h': '120', '4h': '240', '6h': '360', '12h': '720', '1d': 'D' },
}
