interface RoundsPageProps {
  readonly id: string
}

export default function RoundsPage({ id }: RoundsPageProps) {
  return <h1>Rounds {id}</h1>
}
