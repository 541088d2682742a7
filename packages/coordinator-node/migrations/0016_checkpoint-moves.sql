ALTER TABLE "checkpoints" ADD COLUMN "moves" jsonb DEFAULT '[]'::jsonb NOT NULL;--> statement-breakpoint
CREATE UNIQUE INDEX "checkpoints_transaction" ON "checkpoints" USING btree ("transaction_id");