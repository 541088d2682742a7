import { TraceDrawer } from '../../parts/trace-drawer.tsx'

interface RoundPageProps {
  readonly id: string
}

export default function RoundPage({ id }: RoundPageProps) {
  return (
    <>
      <h1>Round {id}</h1>
      <TraceDrawer />
    </>
  )
}
