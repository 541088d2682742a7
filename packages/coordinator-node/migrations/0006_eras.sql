CREATE TABLE "competition" (
	"id" integer PRIMARY KEY DEFAULT 1 NOT NULL,
	"crunch_id" text collate "C" NOT NULL,
	"name" text collate "C" NOT NULL,
	CONSTRAINT "competition_single" CHECK ("competition"."id" = 1)
);
--> statement-breakpoint
CREATE TABLE "contract_versions" (
	"number" integer PRIMARY KEY NOT NULL,
	"hash" text collate "C" NOT NULL,
	"era" integer NOT NULL,
	"first_seen_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "contract_versions_code" UNIQUE("era","hash")
);
--> statement-breakpoint
CREATE TABLE "eras" (
	"number" integer PRIMARY KEY NOT NULL,
	"structure" jsonb NOT NULL,
	"fingerprint" text collate "C" NOT NULL,
	"began_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE "checkpoints" ADD COLUMN "era" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "checkpoints" ADD COLUMN "contract_versions" jsonb DEFAULT '{}'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "inputs" ADD COLUMN "era" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "leaderboards" ADD COLUMN "era" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "scores" ADD COLUMN "contract_version" integer;--> statement-breakpoint
ALTER TABLE "snapshots" ADD COLUMN "era" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "snapshots" ADD COLUMN "contract_versions" jsonb DEFAULT '{}'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "contract_versions" ADD CONSTRAINT "contract_versions_era_eras_number_fk" FOREIGN KEY ("era") REFERENCES "public"."eras"("number") ON DELETE no action ON UPDATE no action;