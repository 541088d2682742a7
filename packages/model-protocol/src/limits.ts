/** The largest gRPC message in either direction, in bytes. gRPC's own default, 4 MiB, is too small for feature frames. */
export const MAX_MESSAGE_BYTES = 64 * 1024 * 1024

/** The largest discovery frame that deployed clients accept, in bytes. */
export const MAX_DISCOVERY_FRAME_BYTES = 1024 * 1024

/** Where the orchestrator's discovery socket listens unless told otherwise. */
export const DEFAULT_DISCOVERY_PORT = 9091

/** Where a model runner listens unless told otherwise. */
export const DEFAULT_MODEL_RUNNER_PORT = 50051

/** A discovery client pings this often and gives up when a pong takes as long again, in milliseconds. */
export const DISCOVERY_KEEPALIVE_MS = 20_000

/** Message limits for servers. */
export const SERVER_OPTIONS = {
  'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
  'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
} as const

/**
 * For clients: message limits, a connection of its own, so that one model's connection never carries another's state, and
 * no proxy: models run beside the node, and what `http_proxy` names cannot reach them.
 */
export const CHANNEL_OPTIONS = {
  ...SERVER_OPTIONS,
  'grpc.use_local_subchannel_pool': 1,
  'grpc.enable_http_proxy': 0,
  // grpc-js's own statistics, which nobody reads and every call pays for.
  'grpc.enable_channelz': 0,
} as const
