import { Link } from 'wouter-preact'
import { competitionNow, isAtWallTime, wallNow } from '../data/competition-time.ts'
import { theme, zone } from '../data/preferences.ts'
import { useCompetition, useFeeds, useHealth } from '../data/resources.ts'
import { heardAt, streamState } from '../data/stream.ts'
import { duration, minuteOf, zoneName } from '../format/times.ts'
import { StateMark } from '../parts/state-mark.tsx'
import { KeyButton } from './key-button.tsx'
import { Search } from './search.tsx'
import { Upcoming } from './upcoming.tsx'

/** What is true on every page: which competition, whether it is alive, what comes next, and what is wrong. */
export function Strip() {
  const info = useCompetition().data.value
  if (info !== undefined) document.title = `${info.crunch_id} · competition`
  return (
    <>
      <div class="strip-facts">
        <Link class="strip-name cut" href="/">
          {info?.crunch_id ?? 'Competition'}
        </Link>
        <LiveFact />
        <FeedFact />
        <Upcoming />
        {isAtWallTime.value ? null : (
          <span class="strip-fact quiet" title="The node replays a recording, or one of the two clocks is wrong.">
            the node's time is {minuteOf(competitionNow.value)} {zoneName()}
          </span>
        )}
        <div class="strip-tools">
          <Search />
          <button
            type="button"
            onClick={() => {
              zone.value = zone.value === 'utc' ? 'local' : 'utc'
            }}
            title="Show times in UTC or in the time zone of this machine"
          >
            {zone.value === 'utc' ? 'UTC' : 'Local'}
          </button>
          <ThemeButton />
          <KeyButton />
        </div>
      </div>
      <Alarm />
    </>
  )
}

function LiveFact() {
  const state = streamState.value
  const heard = heardAt.value
  if (state.kind === 'open') {
    // The node says something every 15 s at least.
    const silent = heard === null ? 0 : wallNow.value - heard
    return (
      <span class="strip-fact" aria-live="off">
        <StateMark mood={silent > 20_000 ? 'warn' : 'ok'} word="live" />
        {heard === null ? null : <span class="quiet">{duration(silent)}</span>}
      </span>
    )
  }
  if (state.kind === 'connecting') return <StateMark mood="quiet" word="connecting" />
  return <StateMark mood={state.kind === 'lost' ? 'fail' : 'warn'} word="not live" />
}

/** The worst state of all feeds, in one word. */
function FeedFact() {
  const feeds = useFeeds().data.value
  if (feeds === undefined) return null
  const worst = (['down', 'frozen', 'suspect', 'stale', 'up'] as const).find((status) =>
    feeds.some((feed) => feed.status === status),
  )
  const mood = worst === 'up' ? 'ok' : worst === 'down' || worst === 'frozen' ? 'fail' : 'warn'
  return (
    <Link class="strip-fact" href="/feeds">
      <span class="quiet">feeds</span> <StateMark mood={worst === undefined ? 'quiet' : mood} word={worst ?? 'none'} />
    </Link>
  )
}

/** What is wrong, since when, and what is done about it. */
function Alarm() {
  const state = streamState.value
  const health = useHealth()
  const reasons = health.data.value?.reasons ?? []
  if (state.kind === 'lost' || state.kind === 'refused') {
    const retryIn = Math.max(0, state.retryAt - wallNow.value)
    const text = `Changes do not arrive since ${duration(wallNow.value - state.since)}: ${state.reason}`
    return (
      <div class={`strip-alarm ${state.kind === 'lost' ? 'fail' : 'warn'}`} role="alert">
        <p>
          {text} <span class="small">Next attempt in {duration(retryIn)}. What is shown was true before.</span>
        </p>
      </div>
    )
  }
  const [first, ...more] = reasons
  if (first === undefined) return null
  return (
    <div class="strip-alarm warn" role="status">
      <p>
        ▲ {first} <Link href="/operations">{more.length === 0 ? 'What to do' : `and ${more.length} more`}</Link>
      </p>
    </div>
  )
}

const themes = { system: 'Auto', light: 'Light', dark: 'Dark' } as const

function ThemeButton() {
  function next(): void {
    const names = ['system', 'light', 'dark'] as const
    theme.value = names[(names.indexOf(theme.value) + 1) % names.length] ?? 'system'
  }
  return (
    <button type="button" onClick={next} title="Colours: as the system has them, light, or dark">
      {themes[theme.value]}
    </button>
  )
}
