interface FeedsPageProps {
  readonly id: string
}

export default function FeedsPage({ id }: FeedsPageProps) {
  return <h1>Feeds {id}</h1>
}
