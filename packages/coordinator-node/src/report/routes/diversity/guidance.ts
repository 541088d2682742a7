interface DiversityMetrics {
  readonly ic: number | null
  readonly model_correlation: number | null
  readonly ensemble_correlation: number | null
  readonly contribution: number | null
}

const shown = (value: number) => value.toFixed(4)

/** What the metrics of a model mean for its author, in sentences; one of them at least. */
export function guidanceOf(metrics: DiversityMetrics): string[] {
  const { ic, model_correlation: correlation, ensemble_correlation: ensemble, contribution } = metrics
  const rules: readonly (readonly [boolean, string])[] = [
    [
      correlation !== null && correlation > 0.7,
      `It predicts nearly the same as the other models (correlation ${shown(correlation ?? 0)}): a different idea is worth more.`,
    ],
    [
      ensemble !== null && ensemble > 0.9,
      `It predicts nearly the same as the ensemble (correlation ${shown(ensemble ?? 0)}).`,
    ],
    [
      contribution !== null && contribution < 0,
      `It makes the ensemble worse (contribution ${shown(contribution ?? 0)}).`,
    ],
    [
      contribution !== null && contribution > 0.01,
      `It makes the ensemble better (contribution ${shown(contribution ?? 0)}).`,
    ],
    [
      correlation !== null && correlation < 0.3 && ic !== null && ic > 0,
      `It differs from the other models and predicts well (information coefficient ${shown(ic ?? 0)}).`,
    ],
  ]
  const sentences = rules.filter(([applies]) => applies).map(([, sentence]) => sentence)
  return sentences.length > 0 ? sentences : ['Not enough data yet, or nothing unusual.']
}
