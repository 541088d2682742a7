interface ModelPageProps {
  readonly id: string
}

export default function ModelPage({ id }: ModelPageProps) {
  return <h1>Model {id}</h1>
}
