/** Text that this browser keeps. */
export interface Kept {
  read(): string | null
  write(text: string): void
}

/** Where a browser refuses to keep anything, as some do for private windows, the text lives as long as the page. */
export function keptText(place: 'localStorage' | 'sessionStorage', name: string): Kept {
  let text: string | null = null
  return {
    read() {
      try {
        return globalThis[place].getItem(name)
      } catch {
        return text
      }
    },
    write(next) {
      text = next
      try {
        globalThis[place].setItem(name, next)
      } catch {
        // Kept in `text`.
      }
    },
  }
}
