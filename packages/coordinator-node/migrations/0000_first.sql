CREATE TABLE "checkpoints" (
	"id" text collate "C" PRIMARY KEY NOT NULL,
	"period_start" timestamp (3) with time zone NOT NULL,
	"period_end" timestamp (3) with time zone NOT NULL,
	"status" text collate "C" NOT NULL,
	"snapshot_count" bigint NOT NULL,
	"entries" jsonb NOT NULL,
	"crunch" text collate "C",
	"compute_provider" text collate "C",
	"data_provider" text collate "C",
	"transaction_id" text collate "C",
	"submitted_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "checkpoints_period" UNIQUE("period_end"),
	CONSTRAINT "checkpoints_status" CHECK ("checkpoints"."status" in ('PENDING', 'SUBMITTED', 'CLAIMABLE', 'PAID'))
);
--> statement-breakpoint
CREATE TABLE "feed_ingestion_state" (
	"source" text collate "C" NOT NULL,
	"subject" text collate "C" NOT NULL,
	"kind" text collate "C" NOT NULL,
	"granularity" text collate "C" NOT NULL,
	"record_count" bigint DEFAULT 0 NOT NULL,
	"revision_count" bigint DEFAULT 0 NOT NULL,
	"oldest_event_at" timestamp (3) with time zone,
	"newest_event_at" timestamp (3) with time zone,
	"watermark_at" timestamp (3) with time zone,
	"updated_at" timestamp (3) with time zone NOT NULL,
	"status" text collate "C" NOT NULL,
	"status_reason" text collate "C",
	"status_since" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "feed_ingestion_state_key" PRIMARY KEY("source","subject","kind","granularity"),
	CONSTRAINT "feed_ingestion_state_status" CHECK ("feed_ingestion_state"."status" in ('up', 'stale', 'frozen', 'down'))
);
--> statement-breakpoint
CREATE TABLE "feed_record_revisions" (
	"source" text collate "C" NOT NULL,
	"subject" text collate "C" NOT NULL,
	"kind" text collate "C" NOT NULL,
	"granularity" text collate "C" NOT NULL,
	"event_at" timestamp (3) with time zone NOT NULL,
	"values_hash" text collate "C" NOT NULL,
	"known_at" timestamp (3) with time zone NOT NULL,
	"received_at" timestamp (3) with time zone NOT NULL,
	"values" jsonb NOT NULL,
	CONSTRAINT "feed_record_revisions_key" PRIMARY KEY("source","subject","kind","granularity","event_at","values_hash")
);
--> statement-breakpoint
CREATE TABLE "feed_records" (
	"source" text collate "C" NOT NULL,
	"subject" text collate "C" NOT NULL,
	"kind" text collate "C" NOT NULL,
	"granularity" text collate "C" NOT NULL,
	"event_at" timestamp (3) with time zone NOT NULL,
	"known_at" timestamp (3) with time zone NOT NULL,
	"received_at" timestamp (3) with time zone NOT NULL,
	"values" jsonb NOT NULL,
	CONSTRAINT "feed_records_key" PRIMARY KEY("source","subject","kind","granularity","event_at")
);
--> statement-breakpoint
CREATE TABLE "inputs" (
	"id" text collate "C" PRIMARY KEY NOT NULL,
	"schedule_key" text collate "C" NOT NULL,
	"source" text collate "C" NOT NULL,
	"subject" text collate "C" NOT NULL,
	"kind" text collate "C" NOT NULL,
	"granularity" text collate "C" NOT NULL,
	"horizon_ms" bigint NOT NULL,
	"step_ms" bigint NOT NULL,
	"performed_at" timestamp (3) with time zone NOT NULL,
	"resolvable_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"missed_before" bigint NOT NULL,
	"input" jsonb NOT NULL,
	"status" text collate "C" DEFAULT 'RECEIVED' NOT NULL,
	"answered_at" timestamp (3) with time zone,
	"actuals" jsonb,
	"void_reason" text collate "C",
	CONSTRAINT "inputs_status" CHECK ("inputs"."status" in ('RECEIVED', 'RESOLVED')),
	CONSTRAINT "inputs_truth" CHECK ("inputs"."status" = 'RESOLVED' or ("inputs"."actuals" is null and "inputs"."void_reason" is null)),
	CONSTRAINT "inputs_answers" CHECK ("inputs"."status" = 'RECEIVED' or "inputs"."answered_at" is not null)
);
--> statement-breakpoint
CREATE TABLE "leaderboards" (
	"id" text collate "C" PRIMARY KEY NOT NULL,
	"as_of" timestamp (3) with time zone NOT NULL,
	"rank_by" text collate "C" NOT NULL,
	"direction" text collate "C" NOT NULL,
	"entries" jsonb NOT NULL,
	CONSTRAINT "leaderboards_period" UNIQUE("as_of"),
	CONSTRAINT "leaderboards_direction" CHECK ("leaderboards"."direction" in ('asc', 'desc'))
);
--> statement-breakpoint
CREATE TABLE "models" (
	"id" text collate "C" PRIMARY KEY NOT NULL,
	"name" text collate "C" NOT NULL,
	"deployment_id" text collate "C" NOT NULL,
	"cruncher_id" text collate "C" NOT NULL,
	"cruncher_name" text collate "C" NOT NULL,
	"registered_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "predictions" (
	"id" text collate "C" PRIMARY KEY NOT NULL,
	"input_id" text collate "C" NOT NULL,
	"model_id" text collate "C" NOT NULL,
	"status" text collate "C" NOT NULL,
	"output" jsonb,
	"reason" text collate "C",
	"blame" text collate "C",
	"detail" text collate "C",
	"duration_ms" double precision,
	"performed_at" timestamp (3) with time zone NOT NULL,
	"resolvable_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "predictions_round_model" UNIQUE("input_id","model_id"),
	CONSTRAINT "predictions_status" CHECK ("predictions"."status" in ('PENDING', 'SCORED', 'FAILED', 'ABSENT')),
	CONSTRAINT "predictions_blame" CHECK ("predictions"."blame" in ('model', 'coordinator'))
);
--> statement-breakpoint
CREATE TABLE "scheduled_prediction_configs" (
	"key" text collate "C" PRIMARY KEY NOT NULL,
	"source" text collate "C" NOT NULL,
	"subject" text collate "C" NOT NULL,
	"kind" text collate "C" NOT NULL,
	"granularity" text collate "C" NOT NULL,
	"every_ms" bigint NOT NULL,
	"horizon_ms" bigint NOT NULL,
	"step_ms" bigint NOT NULL,
	"trigger" text collate "C" NOT NULL,
	"active" boolean NOT NULL,
	"position" integer NOT NULL,
	"opened_count" bigint DEFAULT 0 NOT NULL,
	"missed_count" bigint DEFAULT 0 NOT NULL,
	"last_performed_at" timestamp (3) with time zone,
	CONSTRAINT "scheduled_prediction_configs_trigger" CHECK ("scheduled_prediction_configs"."trigger" in ('record', 'clock'))
);
--> statement-breakpoint
CREATE TABLE "scores" (
	"id" text collate "C" PRIMARY KEY NOT NULL,
	"prediction_id" text collate "C" NOT NULL,
	"kind" text collate "C" NOT NULL,
	"value" jsonb,
	"reason" text collate "C",
	"signal" double precision,
	"actual" double precision,
	"scored_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "scores_prediction" UNIQUE("prediction_id"),
	CONSTRAINT "scores_kind" CHECK ("scores"."kind" in ('valid', 'imputed', 'failed'))
);
--> statement-breakpoint
CREATE TABLE "snapshots" (
	"id" text collate "C" PRIMARY KEY NOT NULL,
	"model_id" text collate "C" NOT NULL,
	"period_start" timestamp (3) with time zone NOT NULL,
	"period_end" timestamp (3) with time zone NOT NULL,
	"score_count" bigint NOT NULL,
	"due_count" bigint NOT NULL,
	"answered_count" bigint NOT NULL,
	"sums" jsonb NOT NULL,
	"metrics" jsonb NOT NULL,
	CONSTRAINT "snapshots_period_model" UNIQUE("period_end","model_id")
);
--> statement-breakpoint
ALTER TABLE "inputs" ADD CONSTRAINT "inputs_schedule_key_scheduled_prediction_configs_key_fk" FOREIGN KEY ("schedule_key") REFERENCES "public"."scheduled_prediction_configs"("key") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "predictions" ADD CONSTRAINT "predictions_input_id_inputs_id_fk" FOREIGN KEY ("input_id") REFERENCES "public"."inputs"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "predictions" ADD CONSTRAINT "predictions_model_id_models_id_fk" FOREIGN KEY ("model_id") REFERENCES "public"."models"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "scores" ADD CONSTRAINT "scores_prediction_id_predictions_id_fk" FOREIGN KEY ("prediction_id") REFERENCES "public"."predictions"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "snapshots" ADD CONSTRAINT "snapshots_model_id_models_id_fk" FOREIGN KEY ("model_id") REFERENCES "public"."models"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "feed_records_known" ON "feed_records" USING btree ("source","subject","kind","granularity","known_at","event_at");--> statement-breakpoint
CREATE INDEX "inputs_resolvable" ON "inputs" USING btree ("resolvable_at","id");--> statement-breakpoint
CREATE INDEX "inputs_unresolved" ON "inputs" USING btree ("resolvable_at","id") WHERE status = 'RECEIVED';--> statement-breakpoint
CREATE INDEX "inputs_unanswered" ON "inputs" USING btree ("performed_at","id") WHERE answered_at is null;--> statement-breakpoint
CREATE INDEX "inputs_void" ON "inputs" USING btree ("id") WHERE void_reason is not null;--> statement-breakpoint
CREATE INDEX "predictions_performed" ON "predictions" USING btree ("performed_at","input_id","model_id");--> statement-breakpoint
CREATE INDEX "predictions_of_model" ON "predictions" USING btree ("model_id","performed_at","input_id");--> statement-breakpoint
CREATE INDEX "snapshots_of_model" ON "snapshots" USING btree ("model_id","period_end");