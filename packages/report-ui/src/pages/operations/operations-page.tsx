interface OperationsPageProps {
  readonly id: string
}

export default function OperationsPage({ id }: OperationsPageProps) {
  return <h1>Operations {id}</h1>
}
