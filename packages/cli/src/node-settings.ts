/** The settings of a node that the command line itself needs. */
export interface NodeSettings {
  readonly crunchId: string
  /** The cruncher whose models are the organizer's. */
  readonly organizerId: string
  /** `undefined`: the embedded server. May hold a password. */
  readonly databaseUrl: string | undefined
  /** Where that server is set, such as `/srv/node/.local.env:3: DATABASE_URL`. */
  readonly databasePlace: string
  readonly apiPort: number
  /** Where the orchestrator announces models. */
  readonly modelRunnerHost: string
  readonly modelRunnerPort: number
  /** Where the orchestrator's own API listens. */
  readonly orchestratorHost: string
  readonly orchestratorPort: number
  /** What that API asks for beyond loopback; a secret. */
  readonly apiKey: string | undefined
  readonly modelBaseClassName: string
  /** Replaces the contract's time-out for models when it is set. */
  readonly modelTimeoutMs: number | undefined
  /** The interpreter of Python models. */
  readonly pythonProgram: string
  /** What one model may use; the orchestrator's defaults where nothing is set. */
  readonly modelLimits: {
    readonly memoryMib: number | undefined
    readonly cpuCores: number | undefined
    readonly processes: number | undefined
    readonly startTimeoutMs: number | undefined
    readonly openFiles: number | undefined
    readonly folderMib: number | undefined
    readonly network: 'none' | 'host' | undefined
    readonly namespaces: 'auto' | 'off' | undefined
    /** Whether packages of Python models may be built from source. */
    readonly allowBuilds: 'true' | 'false' | undefined
  }
  /** As the operator set it; `undefined` when not set. */
  readonly replaySpeed: number | 'max' | undefined
  /** FEED_REPLAY_FILES is set, as only `--replay` should do. */
  readonly replaysBySetting: boolean
  /** False: `crunch deploy` starts no orchestrator, because another one runs the models. */
  readonly runsModelsHere: boolean
}
