interface CheckpointsPageProps {
  readonly id: string
}

export default function CheckpointsPage({ id }: CheckpointsPageProps) {
  return <h1>Checkpoints {id}</h1>
}
