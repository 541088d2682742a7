import { lazy, Suspense } from 'preact/compat'
import { Route, Switch } from 'wouter-preact'
import { useBoard } from './data/resources.ts'
import { Navigation } from './frame/navigation.tsx'
import { Strip } from './frame/strip.tsx'
import { LeaderboardPage } from './pages/leaderboard/leaderboard-page.tsx'

// The first view is the leaderboard; every other page comes when it is opened.
const pages = {
  '/models': lazy(() => import('./pages/models/models-page.tsx')),
  '/models/:id': lazy(() => import('./pages/models/model-page.tsx')),
  '/rounds': lazy(() => import('./pages/rounds/rounds-page.tsx')),
  '/rounds/:id': lazy(() => import('./pages/rounds/round-page.tsx')),
  '/feeds': lazy(() => import('./pages/feeds/feeds-page.tsx')),
  '/checkpoints': lazy(() => import('./pages/checkpoints/checkpoints-page.tsx')),
  '/checkpoints/:id': lazy(() => import('./pages/checkpoints/checkpoint-page.tsx')),
  '/operations': lazy(() => import('./pages/operations/operations-page.tsx')),
  '/about': lazy(() => import('./pages/about/about-page.tsx')),
}

/** Asks for the board before the strip asks for its facts: a browser has six connections to a node, and the stream needs one. */
function BoardFirst() {
  useBoard()
  return null
}

export function App() {
  return (
    <>
      <Route path="/" component={BoardFirst} />
      <a class="skip" href="#content">
        Skip to the content
      </a>
      <header class="strip">
        <Strip />
        <Navigation />
      </header>
      <main class="main" id="content" tabIndex={-1}>
        <Suspense fallback={<div class="skeleton" aria-busy="true" />}>
          <Switch>
            <Route path="/" component={LeaderboardPage} />
            {Object.entries(pages).map(([path, Page]) => (
              <Route key={path} path={path}>
                {({ id }: { readonly id?: string }) => <Page key={id} id={id ?? ''} />}
              </Route>
            ))}
            <Route>
              <p>
                There is no such page. <a href="/">Leaderboard</a>
              </p>
            </Route>
          </Switch>
        </Suspense>
      </main>
    </>
  )
}
