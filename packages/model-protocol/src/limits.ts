/** The largest gRPC message in either direction, in bytes. gRPC's own default, 4 MiB, is too small for feature frames. */
export const MAX_MESSAGE_BYTES = 64 * 1024 * 1024

/** The largest discovery frame that deployed clients accept, in bytes. */
export const MAX_DISCOVERY_FRAME_BYTES = 1024 * 1024

/** The default port of the orchestrator's discovery socket. */
export const DEFAULT_DISCOVERY_PORT = 9091

/** The default port of a model runner. */
export const DEFAULT_MODEL_RUNNER_PORT = 50051

/** Message limits for servers. */
export const SERVER_OPTIONS = {
  'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
  'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
} as const

/**
 * Options for clients: message limits; a separate connection per client, so that models share no connection state; no proxy, because
 * models run beside the node and a proxy in `http_proxy` cannot reach them.
 */
export const CHANNEL_OPTIONS = {
  ...SERVER_OPTIONS,
  'grpc.use_local_subchannel_pool': 1,
  'grpc.enable_http_proxy': 0,
  // Disables grpc-js's unused statistics, which slow down every call.
  'grpc.enable_channelz': 0,
} as const
