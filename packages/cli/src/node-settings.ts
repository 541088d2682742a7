/** The settings of a node that the command line itself needs. */
export interface NodeSettings {
  readonly crunchId: string
  /** The cruncher who is the organizer. */
  readonly organizerId: string
  /** `undefined`: the embedded server. May hold a password. */
  readonly databaseUrl: string | undefined
  /** The place of that setting, e.g. `/srv/node/.local.env:3: DATABASE_URL`. */
  readonly databasePlace: string
  readonly apiPort: number
  /** The second port of the page; `undefined`: none. */
  readonly pagePort: number | undefined
  /** The address of the orchestrator's discovery socket. */
  readonly modelRunnerHost: string
  readonly modelRunnerPort: number
  /** The address of the orchestrator's HTTP API. */
  readonly orchestratorHost: string
  readonly orchestratorPort: number
  /** The key of that API; a secret. `undefined`: the key file of the workspace is used. */
  readonly apiKey: string | undefined
  readonly modelBaseClassName: string
  /** Replaces the contract's time-out for models if set. */
  readonly modelTimeoutMs: number | undefined
  /** The interpreter of Python models. */
  readonly pythonProgram: string
  /** Limits of each model; the orchestrator's defaults if not set. */
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
  /** The operator's setting; `undefined` if not set. */
  readonly replaySpeed: number | 'max' | undefined
  /** FEED_REPLAY_FILES is set. Only `--replay` should set it. */
  readonly replaysBySetting: boolean
  /** False if another orchestrator runs the models; then `crunch deploy` starts none. */
  readonly runsModelsHere: boolean
}
