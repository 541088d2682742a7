/** A database that was looked at, and what every session of the engine asks of it. */
export interface Database {
  readonly url: string
  /** Settings by which the server notices a client that is gone; those that it does not know are left out. */
  readonly keepAlive: KeepAlive
}

export type KeepAlive = Readonly<Record<string, number>>
