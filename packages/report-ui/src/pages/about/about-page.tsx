interface AboutPageProps {
  readonly id: string
}

export default function AboutPage({ id }: AboutPageProps) {
  return <h1>About {id}</h1>
}
