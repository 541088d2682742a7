import { useEffect, useRef } from 'preact/hooks'
import { Link, useLocation } from 'wouter-preact'

const places = [
  ['/', 'Leaderboard'],
  ['/models', 'Models'],
  ['/rounds', 'Rounds'],
  ['/feeds', 'Feeds'],
  ['/checkpoints', 'Checkpoints'],
  ['/operations', 'Operations'],
  ['/about', 'About'],
] as const

export function Navigation() {
  const [path] = useLocation()
  const nav = useRef<HTMLElement>(null)
  // On a phone the pages do not fit beside each other.
  useEffect(() => {
    nav.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' })
  }, [path])
  return (
    <nav class="navigation" aria-label="Pages" ref={nav}>
      {places.map(([href, title]) => {
        const isHere = href === '/' ? path === '/' : path === href || path.startsWith(`${href}/`)
        return (
          <Link key={href} href={href} aria-current={isHere ? 'page' : undefined}>
            {title}
          </Link>
        )
      })}
    </nav>
  )
}
