ALTER TABLE "checkpoints" ADD COLUMN "refusals" jsonb DEFAULT '[]'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "checkpoints" ADD COLUMN "acknowledged_by" text collate "C";--> statement-breakpoint
ALTER TABLE "checkpoints" ADD COLUMN "acknowledged_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "inputs" ADD COLUMN "refusal" text collate "C";--> statement-breakpoint
ALTER TABLE "inputs" ADD COLUMN "refused_count" integer;--> statement-breakpoint
ALTER TABLE "inputs" ADD COLUMN "score_count" integer;--> statement-breakpoint
ALTER TABLE "scheduled_prediction_configs" ADD COLUMN "refused_count" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "scheduled_prediction_configs" ADD COLUMN "refused_since" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "scheduled_prediction_configs" ADD COLUMN "refused_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "scheduled_prediction_configs" ADD COLUMN "refusal" text collate "C";--> statement-breakpoint
CREATE INDEX "inputs_refused" ON "inputs" USING btree ("schedule_key","resolvable_at","id") WHERE refusal is not null;