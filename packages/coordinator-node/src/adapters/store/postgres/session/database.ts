/** A checked database, with the settings of every session of the engine. */
export interface Database {
  readonly url: string
  /** Settings that make the server detect lost clients; those that it does not support are left out. */
  readonly keepAlive: KeepAlive
}

export type KeepAlive = Readonly<Record<string, number>>
