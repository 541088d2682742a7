import './styles/tokens.css'
import './styles/base.css'
import './styles/frame.css'
import './styles/parts.css'
import './styles/charts.css'
import { render } from 'preact'
import { App } from './app.tsx'
import { followTime } from './data/competition-time.ts'
import { followTheme } from './data/preferences.ts'
import { followNode } from './data/stream.ts'
import { keepFocus } from './frame/keep-focus.ts'

const page = document.getElementById('page')
if (page === null) throw new Error('index.html has no element with the id "page"')
followTheme()
void followNode(new AbortController().signal)
followTime()
keepFocus()
render(<App />, page)
