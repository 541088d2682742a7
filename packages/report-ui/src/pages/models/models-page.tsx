interface ModelsPageProps {
  readonly id: string
}

export default function ModelsPage({ id }: ModelsPageProps) {
  return <h1>Models {id}</h1>
}
