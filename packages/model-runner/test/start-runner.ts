import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import {
  type ArgumentValue,
  CallRequest,
  CallResponse,
  CHANNEL_OPTIONS,
  DynamicSubclassServiceClient,
  decodeVariant,
  encodeCall,
  HealthClient,
  type RestResponse,
  type ServingStatus,
  type SetupRequest,
  type SetupResponse,
  setupRequest,
} from '@crunch/model-protocol'
import { credentials, type ServiceError } from '@grpc/grpc-js'
import { onTestFinished } from 'vitest'
import { modelRunnerCommand } from '../src/command.ts'
import { writeFolder } from './temporary-folder.ts'

export interface RunnerUnderTest {
  readonly child: ChildProcess
  /** The runner's stderr so far. */
  stderr(): string
  setup(className: string, request?: Partial<SetupRequest>): Promise<[code: string, message: string]>
  /** The status and the decoded answer; `absent` if the response has no answer. */
  call(name: string, values?: readonly ArgumentValue[], options?: CallSettings): Promise<[string, string, unknown]>
  rest(): Promise<[code: string, message: string]>
  health(service?: string): Promise<ServingStatus>
}

interface CallSettings {
  readonly deadlineMs?: number
  readonly keywords?: CallRequest['methodKwArguments']
}

/** Starts the real program on a folder with these files and connects to it; both end with the test. */
export async function startRunner(files: Readonly<Record<string, string>>): Promise<RunnerUnderTest> {
  const { command, args } = modelRunnerCommand()
  const folder = writeFolder(files)
  const child = spawn(
    command,
    [...args, '--code-directory', folder, '--address', '127.0.0.1:0', '--exit-with-parent'],
    {
      cwd: folder,
      stdio: ['pipe', 'pipe', 'pipe'],
    },
  )
  onTestFinished(() => void child.kill('SIGKILL'))
  let stderr = ''
  child.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  const [line] = await Promise.race([
    once(createInterface(child.stdout), 'line'),
    once(child, 'exit').then(() => Promise.reject(new Error(`the runner ended: ${stderr}`))),
  ])
  const { port }: { port: number } = JSON.parse(line)
  return { child, stderr: () => stderr, ...connect(`127.0.0.1:${port}`) }
}

function connect(address: string): Omit<RunnerUnderTest, 'child' | 'stderr'> {
  const client = new DynamicSubclassServiceClient(address, credentials.createInsecure(), CHANNEL_OPTIONS)
  const healthClient = new HealthClient(address, credentials.createInsecure(), CHANNEL_OPTIONS)
  onTestFinished(() => {
    client.close()
    healthClient.close()
  })
  return {
    async setup(className, request = {}) {
      const { status } = await promise<SetupResponse>((done) => {
        client.setup({ ...setupRequest(className), ...request }, done)
      })
      return [status!.code, status!.message]
    },
    async call(name, values = [], { deadlineMs = 20_000, keywords = [] } = {}) {
      const request = { ...CallRequest.decode(encodeCall(name, values)), methodKwArguments: keywords }
      const { status, methodResponse } = await promise<CallResponse>((done) => {
        client.makeUnaryRequest(
          '/dynamic_subclass.DynamicSubclassService/Call',
          (message: CallRequest) => Buffer.from(CallRequest.encode(message).finish()),
          CallResponse.decode,
          request,
          { deadline: Date.now() + deadlineMs },
          (error, response) => done(error, response!),
        )
      })
      return [status!.code, status!.message, methodResponse === undefined ? 'absent' : decodeVariant(methodResponse)]
    },
    async rest() {
      const { status } = await promise<RestResponse>((done) => client.rest({}, done))
      return [status!.code, status!.message]
    },
    async health(service = '') {
      const { status } = await promise<{ status: ServingStatus }>((done) => healthClient.check({ service }, done))
      return status
    },
  }
}

function promise<T>(start: (done: (error: ServiceError | null, response: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    start((error, response) => (error === null ? resolve(response) : reject(error)))
  })
}
