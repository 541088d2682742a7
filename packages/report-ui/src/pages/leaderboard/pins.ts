import { useMemo } from 'preact/hooks'
import { keptText } from '../../data/storage.ts'
import { useUrlState } from '../../data/url-state.ts'

const kept = keptText('localStorage', 'crunch-pins')

/** The models that the viewer follows: those of the address, which a link passes on, or else those that this browser keeps. */
export function usePins(): readonly [ReadonlySet<string>, (modelId: string) => void] {
  const [state, change] = useUrlState()
  const listed = state.pins ?? kept.read() ?? ''
  const pins = useMemo(() => new Set(listed.split(',').filter((id) => id !== '')), [listed])
  function toggle(modelId: string): void {
    const next = new Set(pins)
    if (!next.delete(modelId)) next.add(modelId)
    const text = [...next].join(',')
    kept.write(text)
    change({ pins: text })
  }
  return [pins, toggle]
}
