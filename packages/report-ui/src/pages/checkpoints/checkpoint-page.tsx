interface CheckpointPageProps {
  readonly id: string
}

export default function CheckpointPage({ id }: CheckpointPageProps) {
  return <h1>Checkpoint {id}</h1>
}
