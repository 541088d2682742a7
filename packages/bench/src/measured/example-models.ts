import { Coin, Flat, MeanReversion, Momentum, VolatilityScaled } from '../../../../templates/challenge/src/index.ts'

const classes = [Momentum, MeanReversion, VolatilityScaled, Coin, Flat]

/** The examples of the challenge template, each as often as it takes. */
export function exampleModels(count: number) {
  return Array.from({ length: count }, (_, index) => {
    const Model = classes[index % classes.length] ?? Flat
    const id = `${index + 1}-${Model.name}`
    return {
      identity: { id, name: id, deploymentId: `${id}-1`, cruncherId: id, cruncherName: id },
      model: new Model(),
    }
  })
}
