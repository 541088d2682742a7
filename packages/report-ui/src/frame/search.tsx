import { useEffect, useRef, useState } from 'preact/hooks'
import { useLocation } from 'wouter-preact'
import { useModels } from '../data/resources.ts'
import { focusContent } from './keep-focus.ts'

interface Place {
  readonly title: string
  readonly kind: string
  readonly href: string
}

const resultCount = 12

/** Finds models, crunchers, rounds and checkpoints by name or id; the key `/` opens it. */
export function Search() {
  const input = useRef<HTMLInputElement>(null)
  const [text, setText] = useState('')
  const [chosen, setChosen] = useState(0)
  const [, go] = useLocation()
  const results = useResults(text)

  useEffect(() => {
    function open(event: KeyboardEvent): void {
      const isTyping = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement
      if (event.key !== '/' || isTyping) return
      event.preventDefault()
      input.current?.focus()
    }
    document.addEventListener('keydown', open)
    return () => document.removeEventListener('keydown', open)
  }, [])

  function visit(place: Place | undefined): void {
    if (place === undefined) return
    setText('')
    focusContent()
    go(place.href)
  }

  function onKeyDown(event: KeyboardEvent): void {
    if (event.key === 'Escape') setText('')
    else if (event.key === 'Enter') visit(results[chosen])
    else if (event.key === 'ArrowDown') setChosen(Math.min(chosen + 1, results.length - 1))
    else if (event.key === 'ArrowUp') setChosen(Math.max(chosen - 1, 0))
    else return
    event.preventDefault()
  }

  return (
    <div style={{ position: 'relative' }}>
      <input
        ref={input}
        type="text"
        role="combobox"
        autocomplete="off"
        size={14}
        placeholder="Search  /"
        value={text}
        aria-label="Search models, rounds and checkpoints"
        aria-expanded={results.length > 0}
        aria-controls="search-results"
        aria-activedescendant={results.length > 0 ? `search-result-${chosen}` : undefined}
        onInput={(event) => {
          setText(event.currentTarget.value)
          setChosen(0)
        }}
        onKeyDown={onKeyDown}
        onBlur={(event) => {
          if (!(event.relatedTarget instanceof HTMLAnchorElement)) setText('')
        }}
      />
      {text === '' ? null : <Results text={text} results={results} chosen={chosen} visit={visit} />}
    </div>
  )
}

interface ResultsProps {
  readonly text: string
  readonly results: readonly Place[]
  readonly chosen: number
  readonly visit: (place: Place) => void
}

function Results({ text, results, chosen, visit }: ResultsProps) {
  return (
    <div class="search-results" id="search-results" role="listbox" aria-label="Found">
      {results.length === 0 ? <p class="quiet">Nothing has “{text}” in its name.</p> : null}
      {results.map((place, index) => (
        <a
          key={place.href}
          id={`search-result-${index}`}
          role="option"
          aria-selected={index === chosen}
          href={place.href}
          onClick={(event) => {
            event.preventDefault()
            visit(place)
          }}
        >
          <span class="cut">{place.title}</span>
          <span class="quiet small">{place.kind}</span>
        </a>
      ))}
    </div>
  )
}

function useResults(text: string): readonly Place[] {
  const models = useModels().data.value ?? []
  const wanted = text.trim().toLowerCase()
  if (wanted === '') return []
  const found = models
    .filter((model) => `${model.model_name} ${model.cruncher_name} ${model.model_id}`.toLowerCase().includes(wanted))
    .slice(0, resultCount)
    .map((model) => ({
      title: model.model_name,
      kind: `model of ${model.cruncher_name}`,
      href: `/models/${encodeURIComponent(model.model_id)}`,
    }))
  if (/^ckp_/i.test(wanted)) {
    found.push({ title: text.trim(), kind: 'checkpoint', href: `/checkpoints/${encodeURIComponent(text.trim())}` })
  }
  return found
}
