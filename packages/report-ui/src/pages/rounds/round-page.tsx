interface RoundPageProps {
  readonly id: string
}

export default function RoundPage({ id }: RoundPageProps) {
  return <h1>Round {id}</h1>
}
