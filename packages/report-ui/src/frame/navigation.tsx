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
  return (
    <nav class="navigation" aria-label="Pages">
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
