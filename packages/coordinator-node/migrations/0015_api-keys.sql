CREATE TABLE "api_keys" (
	"id" text collate "C" PRIMARY KEY NOT NULL,
	"name" text collate "C" NOT NULL,
	"scope" text collate "C" NOT NULL,
	"cruncher_id" text collate "C",
	"hash" text collate "C" NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"ends_at" timestamp (3) with time zone,
	"end_reason" text collate "C",
	CONSTRAINT "api_keys_scope" CHECK ("api_keys"."scope" in ('read', 'admin', 'participant')),
	CONSTRAINT "api_keys_cruncher" CHECK (("api_keys"."scope" = 'participant') = ("api_keys"."cruncher_id" is not null)),
	CONSTRAINT "api_keys_end" CHECK (("api_keys"."ends_at" is null) = ("api_keys"."end_reason" is null))
);
--> statement-breakpoint
CREATE UNIQUE INDEX "api_keys_current" ON "api_keys" USING btree ("name") WHERE ends_at is null;