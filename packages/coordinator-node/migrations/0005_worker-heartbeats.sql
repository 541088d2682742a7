CREATE TABLE "worker_heartbeats" (
	"worker" text collate "C" PRIMARY KEY NOT NULL,
	"beat_at" timestamp (3) with time zone NOT NULL,
	"due_at" timestamp (3) with time zone NOT NULL,
	"worked_at" timestamp (3) with time zone
);
