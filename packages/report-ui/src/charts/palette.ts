import type { Line } from './chart-data.ts'

/** Colours of the page, as the canvas needs them. */
export interface Palette {
  readonly text: string
  readonly quiet: string
  readonly line: string
  readonly field: string
  readonly ok: string
  readonly fail: string
  readonly hue: (line: Line) => string
}

export function readPalette(place: HTMLElement): Palette {
  const style = getComputedStyle(place)
  const colour = (name: string): string => style.getPropertyValue(`--${name}`).trim()
  return {
    text: colour('text'),
    quiet: colour('quiet'),
    line: colour('line'),
    field: colour('field'),
    ok: colour('ok'),
    fail: colour('fail'),
    hue: ({ hue }) => colour(hue === undefined ? 'field' : `hue-${hue}`),
  }
}
